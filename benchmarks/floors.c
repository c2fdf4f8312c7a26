// The floors: functions and their gradients written by hand, for one core.
//
//     cc -O3 -march=native -ffast-math -fno-math-errno -shared -fPIC floors.c -o floors.so -lmvec -lm
//
// A floor may only become faster: whoever finds a faster way to write one puts it here.
#include <math.h>
#include <string.h>
#include <stdlib.h>
#include <time.h>
typedef double v8 __attribute__((vector_size(64)));
typedef double v8u __attribute__((vector_size(64), aligned(8)));
#define AI static inline __attribute__((always_inline))
static inline v8 bc(double a){ return (v8){a,a,a,a,a,a,a,a}; }
static inline double hs(v8 a){ return ((a[0]+a[1])+(a[2]+a[3]))+((a[4]+a[5])+(a[6]+a[7])); }
static double now(void){ struct timespec t; clock_gettime(CLOCK_MONOTONIC,&t); return t.tv_sec+1e-9*t.tv_nsec; }

// ---------- P1
__attribute__((noinline)) double sinx_f(const double*x,int n){ double s=0; for(int i=0;i<n;i++) s+=sin(x[i])*x[i]; return s; }
__attribute__((noinline)) double sinx_fg(const double*x,double*g,int n){ double s=0; double sb[256]; for(int o=0;o<n;o+=256){ int m=n-o<256?n-o:256; const double*X=x+o; for(int i=0;i<m;i++) sb[i]=sin(X[i]); for(int i=0;i<m;i++) g[o+i]=cos(X[i]);
  for(int i=0;i<m;i++){ s+=sb[i]*X[i]; g[o+i]=sb[i]+g[o+i]*X[i]; } } return s; }
__attribute__((noinline)) double rosen_f(const double*x,int n){ double s=0; for(int i=0;i<n-1;i++){ double a=x[i+1]-x[i]*x[i], b=1-x[i]; s+=100*a*a+b*b; } return s; }
__attribute__((noinline)) double rosen_fg(const double*restrict x,double*restrict g,int n){
  double s=0; g[0]=0; 
  for(int i=0;i<n-1;i++){ double a=x[i+1]-x[i]*x[i], b=1-x[i]; s+=100*a*a+b*b; g[i]=-400*a*x[i]-2*b; }
  g[n-1]=0;
  for(int i=1;i<n;i++) g[i]+=200*(x[i]-x[i-1]*x[i-1]);
  return s; }
__attribute__((noinline)) double slide_f(const double*w,int n){ double t=w[1]*log(w[0]); return t+sqrt(t); }
__attribute__((noinline)) double slide_fg(const double*w,double*g,int n){ double l=log(w[0]),t=w[1]*l,q=sqrt(t),tb=1+0.5/q; g[0]=tb*w[1]/w[0]; g[1]=tb*l; return t+q; }
static volatile double sink;
double loop_f(int which,double*x,int n,int reps){ double t0=now(); for(int r=0;r<reps;r++){ x[0]+=1e-12; sink = which==0?sinx_f(x,n):which==1?rosen_f(x,n):slide_f(x,n);} return (now()-t0)/reps; }
double loop_fg(int which,double*x,double*g,int n,int reps){ double t0=now(); for(int r=0;r<reps;r++){ x[0]+=1e-12; sink = which==0?sinx_fg(x,g,n):which==1?rosen_fg(x,g,n):slide_fg(x,g,n);} return (now()-t0)/reps; }

// ---------- P2 GMM  (ADBench)
#define B 64
#define BV 8
AI void gmm_impl(int n,int d,int K,const double*alphas,const double*means,const double*icf,const double*x,double gam,int m,double cst,double*val,double*ga,double*gm,double*gi,int grad){
  int nl=d*(d-1)/2, ni=d+nl;
  double *L=aligned_alloc(64,sizeof(double)*((size_t)K*d*d+8)); memset(L,0,sizeof(double)*K*d*d);
  double *sq=malloc(sizeof(double)*K), *Ex=malloc(sizeof(double)*K*d);
  double wp=0;
  for(int k=0;k<K;k++){ double s=0,fr=0; for(int i=0;i<d;i++){ double q=icf[k*ni+i]; s+=q; double e=exp(q); Ex[k*d+i]=e; L[(k*d+i)*d+i]=e; fr+=e*e; }
    int p=d; for(int j=0;j<d;j++) for(int i=j+1;i<d;i++){ double v=icf[k*ni+p]; L[(k*d+i)*d+j]=v; p++; fr+=v*v; }
    sq[k]=s; wp+=0.5*gam*gam*fr-m*s; }
  v8 *xt=aligned_alloc(64,sizeof(v8)*d*BV), *xc=aligned_alloc(64,sizeof(v8)*d*BV), *LX=aligned_alloc(64,sizeof(v8)*(size_t)K*d*BV);
  double *inner=aligned_alloc(64,sizeof(double)*K*B);
  double *gL=NULL,*S=NULL,*gw=NULL;
  if(grad){ gL=calloc((size_t)K*d*d,8); S=calloc(K*d,8); gw=calloc(K,8); }
  double tot=0; double lse[B] __attribute__((aligned(64))), mx[B] __attribute__((aligned(64)));
  for(int b0=0;b0<n;b0+=B){ int nb=n-b0<B?n-b0:B; double*xd=(double*)xt;
    for(int b=0;b<B;b++) for(int j=0;j<d;j++) xd[j*B+b]= b<nb? x[(size_t)(b0+b)*d+j]:0;
    for(int b=0;b<B;b++) mx[b]=-1e300;
    for(int k=0;k<K;k++){ v8 ss[BV]; for(int v=0;v<BV;v++) ss[v]=bc(0);
      for(int j=0;j<d;j++){ v8 mu=bc(means[k*d+j]); for(int v=0;v<BV;v++) xc[j*BV+v]=xt[j*BV+v]-mu; }
      for(int i=0;i<d;i++){ v8 a0=bc(0),a1=a0,a2=a0,a3=a0,a4=a0,a5=a0,a6=a0,a7=a0; const double*Li=L+(k*d+i)*d;
        for(int j=0;j<=i;j++){ v8 l=bc(Li[j]); const v8*c=xc+j*BV; a0+=l*c[0];a1+=l*c[1];a2+=l*c[2];a3+=l*c[3];a4+=l*c[4];a5+=l*c[5];a6+=l*c[6];a7+=l*c[7]; }
        ss[0]+=a0*a0;ss[1]+=a1*a1;ss[2]+=a2*a2;ss[3]+=a3*a3;ss[4]+=a4*a4;ss[5]+=a5*a5;ss[6]+=a6*a6;ss[7]+=a7*a7;
        if(grad){ v8*o=LX+((size_t)k*d+i)*BV; o[0]=a0;o[1]=a1;o[2]=a2;o[3]=a3;o[4]=a4;o[5]=a5;o[6]=a6;o[7]=a7; } }
      double c=alphas[k]+sq[k]; double*sd=(double*)ss; double*in=inner+k*B;
      for(int b=0;b<B;b++){ double v=c-0.5*sd[b]; in[b]=v; mx[b]=v>mx[b]?v:mx[b]; } }
    for(int b=0;b<B;b++) lse[b]=0;
    for(int k=0;k<K;k++){ double*in=inner+k*B; for(int b=0;b<B;b++){ double e=exp(in[b]-mx[b]); in[b]=e; lse[b]+=e; } }
    double t=0; for(int b=0;b<nb;b++) t+=log(lse[b])+mx[b];
    tot+=t;
    if(grad){ for(int b=0;b<B;b++) lse[b]= b<nb?1.0/lse[b]:0;
      for(int k=0;k<K;k++){ double*in=inner+k*B; double sw=0; for(int b=0;b<B;b++){ in[b]*=lse[b]; sw+=in[b]; } gw[k]+=sw;
        v8*w=(v8*)in;
        for(int j=0;j<d;j++){ v8 mu=bc(means[k*d+j]); for(int v=0;v<BV;v++) xc[j*BV+v]=xt[j*BV+v]-mu; }
        for(int i=0;i<d;i++){ v8*o=LX+((size_t)k*d+i)*BV; v8 r[BV],s=bc(0); for(int v=0;v<BV;v++){ r[v]=w[v]*o[v]; s+=r[v]; } S[k*d+i]+=hs(s);
          double*g=gL+(k*d+i)*d;
          int j=0;
          for(;j+3<=i;j+=4){ const v8*c=xc+j*BV; v8 q0=bc(0),q1=q0,q2=q0,q3=q0;
            for(int v=0;v<BV;v++){ q0+=r[v]*c[v]; q1+=r[v]*c[BV+v]; q2+=r[v]*c[2*BV+v]; q3+=r[v]*c[3*BV+v]; }
            g[j]+=hs(q0);g[j+1]+=hs(q1);g[j+2]+=hs(q2);g[j+3]+=hs(q3); }
          for(;j<=i;j++){ const v8*c=xc+j*BV; v8 q=bc(0); for(int v=0;v<BV;v++) q+=r[v]*c[v]; g[j]+=hs(q); } } } } }
  double ma=-1e300,sa=0; for(int k=0;k<K;k++) ma=alphas[k]>ma?alphas[k]:ma; for(int k=0;k<K;k++) sa+=exp(alphas[k]-ma);
  *val=tot-n*(log(sa)+ma)-wp+cst;
  if(grad){ for(int k=0;k<K;k++){ ga[k]=gw[k]-n*exp(alphas[k]-ma)/sa;
      for(int j=0;j<d;j++){ double t=0; for(int i=j;i<d;i++) t+=L[(k*d+i)*d+j]*S[k*d+i]; gm[k*d+j]=t; }
      for(int i=0;i<d;i++){ double e=Ex[k*d+i]; gi[k*ni+i]=gw[k]-gL[(k*d+i)*d+i]*e-gam*gam*e*e+m; }
      int p=d; for(int j=0;j<d;j++) for(int i=j+1;i<d;i++){ gi[k*ni+p]=-gL[(k*d+i)*d+j]-gam*gam*icf[k*ni+p]; p++; } }
    free(gL);free(S);free(gw); }
  free(L);free(sq);free(Ex);free(xt);free(xc);free(LX);free(inner);
}
void gmm_f(int n,int d,int K,const double*a,const double*mu,const double*icf,const double*x,double g,int m,double c,double*val){ gmm_impl(n,d,K,a,mu,icf,x,g,m,c,val,0,0,0,0); }
void gmm_fg(int n,int d,int K,const double*a,const double*mu,const double*icf,const double*x,double g,int m,double c,double*val,double*ga,double*gm,double*gi){ gmm_impl(n,d,K,a,mu,icf,x,g,m,c,val,ga,gm,gi,1); }

// ---------- P3 BA : residual + 2x15 Jacobian, [cam 11 | X 3 | w 1], 8 observations per SIMD block
#define NB 8
AI void ba_impl(int p,const double*cams,const double*X,const double*w,const int*ci,const int*pi_,const double*feat,double*err,double*werr,double*J,double*Jw,int grad){
  for(int o=0;o<p;o+=NB){ int nb=p-o<NB?p-o:NB; double c[11][NB],x[3][NB],ww[NB],ft[2][NB],E[2][NB],JJ[30][NB];
    for(int b=0;b<NB;b++){ int q=o+(b<nb?b:0); const double*cp=cams+11*ci[q]; for(int k=0;k<11;k++) c[k][b]=cp[k]; for(int k=0;k<3;k++) x[k][b]=X[3*pi_[q]+k]; ww[b]=w[q]; ft[0][b]=feat[2*q]; ft[1][b]=feat[2*q+1]; }
    double TH[NB],SN[NB],CS[NB];
    for(int b=0;b<NB;b++) TH[b]=sqrt(c[0][b]*c[0][b]+c[1][b]*c[1][b]+c[2][b]*c[2][b]+1e-300);
    for(int b=0;b<NB;b++) SN[b]=sin(TH[b]);
    for(int b=0;b<NB;b++) CS[b]=cos(TH[b]);
    #pragma GCC ivdep
    for(int b=0;b<NB;b++){
      double r0=c[0][b],r1=c[1][b],r2=c[2][b];
      double X0=x[0][b]-c[3][b],X1=x[1][b]-c[4][b],X2=x[2][b]-c[5][b];
      double it=1/TH[b], cs=CS[b], sn=SN[b], oc=1-cs;
      double w0=r0*it,w1=r1*it,w2=r2*it;
      double k0=w1*X2-w2*X1,k1=w2*X0-w0*X2,k2=w0*X1-w1*X0, dp=w0*X0+w1*X1+w2*X2, tm=dp*oc;
      double y0=X0*cs+k0*sn+w0*tm, y1=X1*cs+k1*sn+w1*tm, y2=X2*cs+k2*sn+w2*tm;
      double iz=1/y2, u=y0*iz, v=y1*iz, rs=u*u+v*v, k_1=c[9][b],k_2=c[10][b], Ld=1+k_1*rs+k_2*rs*rs, f=c[6][b];
      double pu=u*Ld,pv=v*Ld, W=ww[b];
      double e0=pu*f+c[7][b]-ft[0][b], e1=pv*f+c[8][b]-ft[1][b];
      E[0][b]=W*e0; E[1][b]=W*e1;
      if(grad){
        double dL=2*(k_1+2*k_2*rs), Wf=W*f;
        double puu=Ld+u*u*dL, puv=u*v*dL, pvv=Ld+v*v*dL;
        // d(err)/dy
        double a0=Wf*puu*iz, a1=Wf*puv*iz, a2=-(a0*u+a1*v);
        double b0=a1, b1=Wf*pvv*iz, b2=-(b0*u+b1*v);
        // R = cs I + sn [w]x + oc w w^T
        double R00=cs+oc*w0*w0,R01=-sn*w2+oc*w0*w1,R02=sn*w1+oc*w0*w2;
        double R10=sn*w2+oc*w0*w1,R11=cs+oc*w1*w1,R12=-sn*w0+oc*w1*w2;
        double R20=-sn*w1+oc*w0*w2,R21=sn*w0+oc*w1*w2,R22=cs+oc*w2*w2;
        double g0=a0*R00+a1*R10+a2*R20,g1=a0*R01+a1*R11+a2*R21,g2=a0*R02+a1*R12+a2*R22;
        double h0=b0*R00+b1*R10+b2*R20,h1=b0*R01+b1*R11+b2*R21,h2=b0*R02+b1*R12+b2*R22;
        // rotation: thetabar and wbar (reverse, 2 rows)
        double d0=-X0*sn+k0*cs+w0*dp*sn,d1=-X1*sn+k1*cs+w1*dp*sn,d2=-X2*sn+k2*cs+w2*dp*sn;
        double ta=a0*d0+a1*d1+a2*d2, tb=b0*d0+b1*d1+b2*d2;
        // wbar_a = sn*(X x a) + tm*a + oc*(a.w)*X
        double aw=(a0*w0+a1*w1+a2*w2)*oc, bw=(b0*w0+b1*w1+b2*w2)*oc;
        double p0=sn*(X1*a2-X2*a1)+tm*a0+aw*X0,p1=sn*(X2*a0-X0*a2)+tm*a1+aw*X1,p2=sn*(X0*a1-X1*a0)+tm*a2+aw*X2;
        double q0=sn*(X1*b2-X2*b1)+tm*b0+bw*X0,q1=sn*(X2*b0-X0*b2)+tm*b1+bw*X1,q2=sn*(X0*b1-X1*b0)+tm*b2+bw*X2;
        double pw=p0*w0+p1*w1+p2*w2,qw=q0*w0+q1*w1+q2*w2;
        JJ[0][b]=ta*w0+(p0-pw*w0)*it; JJ[1][b]=ta*w1+(p1-pw*w1)*it; JJ[2][b]=ta*w2+(p2-pw*w2)*it;
        JJ[3][b]=-g0;JJ[4][b]=-g1;JJ[5][b]=-g2; JJ[6][b]=W*pu; JJ[7][b]=W; JJ[8][b]=0; JJ[9][b]=Wf*u*rs; JJ[10][b]=Wf*u*rs*rs; JJ[11][b]=g0;JJ[12][b]=g1;JJ[13][b]=g2; JJ[14][b]=e0;
        JJ[15][b]=tb*w0+(q0-qw*w0)*it; JJ[16][b]=tb*w1+(q1-qw*w1)*it; JJ[17][b]=tb*w2+(q2-qw*w2)*it;
        JJ[18][b]=-h0;JJ[19][b]=-h1;JJ[20][b]=-h2; JJ[21][b]=W*pv; JJ[22][b]=0; JJ[23][b]=W; JJ[24][b]=Wf*v*rs; JJ[25][b]=Wf*v*rs*rs; JJ[26][b]=h0;JJ[27][b]=h1;JJ[28][b]=h2; JJ[29][b]=e1;
      } }
    for(int b=0;b<nb;b++){ int q=o+b; err[2*q]=E[0][b]; err[2*q+1]=E[1][b]; werr[q]=1-ww[b]*ww[b]; if(grad){ Jw[q]=-2*ww[b]; for(int k=0;k<30;k++) J[(size_t)30*q+k]=JJ[k][b]; } } } }
void ba_f(int p,const double*c,const double*X,const double*w,const int*ci,const int*pi_,const double*ft,double*e,double*we){ ba_impl(p,c,X,w,ci,pi_,ft,e,we,0,0,0); }
void ba_fg(int p,const double*c,const double*X,const double*w,const int*ci,const int*pi_,const double*ft,double*e,double*we,double*J,double*Jw){ ba_impl(p,c,X,w,ci,pi_,ft,e,we,J,Jw,1); }

// ---------- P4 LSTM (ADBench; elementwise gates), d<=16, nl layers<=4
#define P 16
typedef struct { double x[P],f[P],i[P],o[P],ch[P],c0[P],h0[P],tc[P]; } Rec;
static Rec *tape; static double (*ypt)[P], (*lh)[P]; static int tcap;
AI double lstm_impl(int T,int nl,int d,const double*mainp,const double*extra,const double*state,const double*seq,double*gm,double*ge,int grad){
  if(tcap<T*nl){ tape=aligned_alloc(64,sizeof(Rec)*T*nl); ypt=aligned_alloc(64,sizeof(double)*P*T); lh=aligned_alloc(64,sizeof(double)*P*T); memset(tape,0,sizeof(Rec)*T*nl); tcap=T*nl; }
  double w[4][4][P]={0},bb[4][4][P]={0},ex[3][P]={0},h[4][P]={0},c[4][P]={0};
  for(int l=0;l<nl;l++) for(int g=0;g<4;g++) for(int k=0;k<d;k++){ w[l][g][k]=mainp[(2*l)*4*d+g*d+k]; bb[l][g][k]=mainp[(2*l+1)*4*d+g*d+k]; }
  for(int g=0;g<3;g++) for(int k=0;k<d;k++) ex[g][k]=extra[g*d+k];
  for(int l=0;l<nl;l++) for(int k=0;k<d;k++){ h[l][k]=state[2*l*d+k]; c[l][k]=state[(2*l+1)*d+k]; }
  double total=0;
  for(int t=0;t<T-1;t++){ double x[P]; for(int k=0;k<P;k++) x[k]=0; for(int k=0;k<d;k++) x[k]=seq[t*d+k]*ex[0][k];
    for(int l=0;l<nl;l++){ Rec*r=tape+t*nl+l;
      for(int k=0;k<P;k++){ double f=1/(1+exp(-(x[k]*w[l][0][k]+bb[l][0][k]))), i=1/(1+exp(-(h[l][k]*w[l][1][k]+bb[l][1][k]))), o=1/(1+exp(-(x[k]*w[l][2][k]+bb[l][2][k])));
        double a=h[l][k]*w[l][3][k]+bb[l][3][k]; double e2=exp(-2*a); double ch=(1-e2)/(1+e2);
        double c2=c[l][k]*f+i*ch; double e3=exp(-2*c2); double tc=(1-e3)/(1+e3);
        if(grad){ r->x[k]=x[k]; r->f[k]=f; r->i[k]=i; r->o[k]=o; r->ch[k]=ch; r->c0[k]=c[l][k]; r->h0[k]=h[l][k]; r->tc[k]=tc; }
        c[l][k]=c2; h[l][k]=o*tc; x[k]=o*tc; } }
    double yp[P],s=2,dot=0,sg=0; for(int k=0;k<P;k++){ yp[k]=x[k]*ex[1][k]+ex[2][k]; }
    double ee[P]; for(int k=0;k<P;k++) ee[k]=exp(yp[k]);
    for(int k=0;k<d;k++){ s+=ee[k]; dot+=seq[(t+1)*d+k]*yp[k]; sg+=seq[(t+1)*d+k]; }
    total+=dot-sg*log(s);
    if(grad){ double q=sg/s; for(int k=0;k<P;k++){ ypt[t][k]=0; lh[t][k]=x[k]; } for(int k=0;k<d;k++) ypt[t][k]=seq[(t+1)*d+k]-ee[k]*q; } }
  double cnt=(double)(T-1)*d;
  if(grad){ double gw[4][4][P]={0},gb[4][4][P]={0},gex[3][P]={0},hb[4][P]={0},cb[4][P]={0}; double sc=-1/cnt;
    for(int t=T-2;t>=0;t--){ double xb[P]; for(int k=0;k<P;k++){ double yb=ypt[t][k]*sc; gex[1][k]+=yb*lh[t][k]; gex[2][k]+=yb; xb[k]=yb*ex[1][k]; }
      for(int l=nl-1;l>=0;l--){ Rec*r=tape+t*nl+l;
        for(int k=0;k<P;k++){ double H=hb[l][k]+xb[k]; double tc=r->tc[k],o=r->o[k],f=r->f[k],i=r->i[k],ch=r->ch[k];
          double ob=H*tc*o*(1-o), C=cb[l][k]+H*o*(1-tc*tc); double fb=C*r->c0[k]*f*(1-f), ib=C*ch*i*(1-i), chb=C*i*(1-ch*ch); cb[l][k]=C*f;
          gw[l][0][k]+=fb*r->x[k]; gb[l][0][k]+=fb; gw[l][1][k]+=ib*r->h0[k]; gb[l][1][k]+=ib; gw[l][2][k]+=ob*r->x[k]; gb[l][2][k]+=ob; gw[l][3][k]+=chb*r->h0[k]; gb[l][3][k]+=chb;
          hb[l][k]=ib*w[l][1][k]+chb*w[l][3][k]; xb[k]=fb*w[l][0][k]+ob*w[l][2][k]; } }
      for(int k=0;k<d;k++) gex[0][k]+=xb[k]*seq[t*d+k]; }
    for(int l=0;l<nl;l++) for(int g=0;g<4;g++) for(int k=0;k<d;k++){ gm[(2*l)*4*d+g*d+k]=gw[l][g][k]; gm[(2*l+1)*4*d+g*d+k]=gb[l][g][k]; }
    for(int g=0;g<3;g++) for(int k=0;k<d;k++) ge[g*d+k]=gex[g][k]; }
  return -total/cnt; }
double lstm_f(int T,int nl,int d,const double*m,const double*e,const double*s,const double*q){ return lstm_impl(T,nl,d,m,e,s,q,0,0,0); }
double lstm_fg(int T,int nl,int d,const double*m,const double*e,const double*s,const double*q,double*gm,double*ge){ return lstm_impl(T,nl,d,m,e,s,q,gm,ge,1); }

// ---------- P6 MDS  (W given as N x 3)
double mds_f(int N,const double*W,const double*D){ double L=0; double xs[3][N]; for(int i=0;i<N;i++) for(int k=0;k<3;k++) xs[k][i]=W[3*i+k];
  for(int i=0;i<N;i++) for(int j=0;j<N;j++){ double a=xs[0][i]-xs[0][j],b=xs[1][i]-xs[1][j],c=xs[2][i]-xs[2][j],e=a*a+b*b+c*c-D[(size_t)i*N+j]; L+=e*e; } return L; }
double mds_fg(int N,const double*W,const double*D,double*g){ double L=0; double xs[3][N],gs[3][N]; for(int i=0;i<N;i++) for(int k=0;k<3;k++){ xs[k][i]=W[3*i+k]; gs[k][i]=0; }
  for(int i=0;i<N;i++){ double s0=0,s1=0,s2=0; double x0=xs[0][i],x1=xs[1][i],x2=xs[2][i]; const double*Di=D+(size_t)i*N;
    #pragma GCC ivdep
    for(int j=0;j<N;j++){ double a=x0-xs[0][j],b=x1-xs[1][j],c=x2-xs[2][j],e=a*a+b*b+c*c-Di[j]; L+=e*e; double q=4*e; s0+=q*a; s1+=q*b; s2+=q*c; gs[0][j]-=q*a; gs[1][j]-=q*b; gs[2][j]-=q*c; }
    gs[0][i]+=s0; gs[1][i]+=s1; gs[2][i]+=s2; }
  for(int i=0;i<N;i++) for(int k=0;k<3;k++) g[3*i+k]=gs[k][i]; return L; }

// ---------- P7 chain: 4 x ( y = log(tanh(exp(y)*x)+1.5) ), y0=x : 20 ops
static inline double tanh_e(double v){ double e=exp(-2*v); return (1-e)/(1+e); }
double chain_f(long n,const double*restrict x){ double s=0; for(long i=0;i<n;i++){ double X=x[i],y=X;
   y=log(tanh_e(exp(y)*X)+1.5); y=log(tanh_e(exp(y)*X)+1.5); y=log(tanh_e(exp(y)*X)+1.5); y=log(tanh_e(exp(y)*X)+1.5); s+=y; } return s; }
#define RND { double u=exp(y), w=tanh_e(u*X), iz=1/(w+1.5); dy=(1-w*w)*(u*dy*X+u)*iz; y=log(w+1.5); }
double chain_fg(long n,const double*restrict x,double*restrict g){ double s=0;
  for(long i=0;i<n;i++){ double X=x[i],y=X,dy=1; RND RND RND RND  s+=y; g[i]=dy; } return s; }
double u_exp(long n,const double*restrict x,double*restrict g){ for(long i=0;i<n;i++) g[i]=exp(x[i]); return 0; }
double u_log(long n,const double*restrict x,double*restrict g){ for(long i=0;i<n;i++) g[i]=log(x[i]); return 0; }
double u_sin(long n,const double*restrict x,double*restrict g){ for(long i=0;i<n;i++) g[i]=sin(x[i]); return 0; }
double u_tanh(long n,const double*restrict x,double*restrict g){ for(long i=0;i<n;i++) g[i]=tanh(x[i]); return 0; }
double light_fg(long n,const double*restrict x,double*restrict g){ double s=0; for(long i=0;i<n;i++){ double X=x[i]; s+=(2*X+1)*X-X*X*X*.5+X*X; g[i]=6*X+1-1.5*X*X; } return s; }
// stream
double stream_copy(long n,const double*restrict a,double*restrict b,int reps){ double t0=now(); for(int r=0;r<reps;r++){ for(long i=0;i<n;i++) b[i]=a[i]*1.0000001; __asm__ volatile("":::"memory"); } return (now()-t0)/reps; }
double stream_sum(long n,const double*restrict a,int reps){ double t0=now(); double S=0; for(int r=0;r<reps;r++){ double s=0; for(long i=0;i<n;i++) s+=a[i]; S+=s; __asm__ volatile("":::"memory"); } sink=S; return (now()-t0)/reps; }
double fma_peak(long it){ v8 a[20]; for(int i=0;i<20;i++) a[i]=bc(1+i*1e-3); v8 m=bc(0.999999),c=bc(1e-7); double t0=now(); 
  for(long r=0;r<it;r++){ 
    #pragma GCC unroll 20
    for(int i=0;i<20;i++) a[i]=a[i]*m+c; 
    } double t=now()-t0; v8 s=bc(0); for(int i=0;i<20;i++) s+=a[i]; sink=hs(s); return 2.0*8*20*it/t; }

// ---------- P11 Burgers + chained Rosenbrock Hessian (bands lo,di,up)
void burgers_f(int n,const double*restrict u,double h,double nu,double*restrict f){ double c=1/(2*h),e=nu/(h*h);
  for(int i=1;i<n-1;i++) f[i]=-u[i]*(u[i+1]-u[i-1])*c+e*(u[i+1]-2*u[i]+u[i-1]);
  f[0]=-u[0]*u[1]*c+e*(u[1]-2*u[0]); f[n-1]=u[n-1]*u[n-2]*c+e*(u[n-2]-2*u[n-1]); }
void burgers_j(int n,const double*restrict u,double h,double nu,double*restrict data){ double c=1/(2*h),e=nu/(h*h); // CSR data: row0: 2, rows: 3, last 2
  double *p=data; *p++=-u[1]*c-2*e; *p++=-u[0]*c+e; 
  for(int i=1;i<n-1;i++){ p[0]=u[i]*c+e; p[1]=-(u[i+1]-u[i-1])*c-2*e; p[2]=-u[i]*c+e; p+=3; }
  p[0]=u[n-1]*c+e; p[1]=u[n-2]*c-2*e; }
void rosen_h(int n,const double*restrict x,double*restrict data){ double*p=data; 
  *p++=1200*x[0]*x[0]-400*x[1]+2; *p++=-400*x[0];
  for(int i=1;i<n-1;i++){ p[0]=-400*x[i-1]; p[1]=202+1200*x[i]*x[i]-400*x[i+1]; p[2]=-400*x[i]; p+=3; }
  p[0]=-400*x[n-2]; p[1]=200; }

// ---------- P12 ODE, RK4, adjoint with stored states
typedef void (*rhs_t)(const double*,double*); typedef void (*vjp_t)(const double*,const double*,double*);
AI void lor(const double*y,double*f){ f[0]=10*(y[1]-y[0]); f[1]=y[0]*(28-y[2])-y[1]; f[2]=y[0]*y[1]-(8.0/3)*y[2]; }
AI void lorT(const double*y,const double*k,double*s){ s[0]=-10*k[0]+(28-y[2])*k[1]+y[1]*k[2]; s[1]=10*k[0]-k[1]+y[0]*k[2]; s[2]=-y[0]*k[1]-(8.0/3)*k[2]; }
#define NBD 5
static double M[NBD]; static double EPS2;
void nb_set(const double*m,double e){ memcpy(M,m,sizeof M); EPS2=e; }
AI void nb(const double*y,double*f){ double a[15]={0}; for(int i=0;i<15;i++) f[i]=y[15+i];
  for(int i=0;i<NBD;i++) for(int j=i+1;j<NBD;j++){ double d0=y[3*j]-y[3*i],d1=y[3*j+1]-y[3*i+1],d2=y[3*j+2]-y[3*i+2]; double s=d0*d0+d1*d1+d2*d2+EPS2, q=1/(s*sqrt(s)); double mi=M[i]*q,mj=M[j]*q;
    a[3*i]+=mj*d0;a[3*i+1]+=mj*d1;a[3*i+2]+=mj*d2; a[3*j]-=mi*d0;a[3*j+1]-=mi*d1;a[3*j+2]-=mi*d2; }
  for(int i=0;i<15;i++) f[15+i]=a[i]; }
AI void nbT(const double*y,const double*k,double*s){ const double*ab=k+15; for(int i=0;i<15;i++){ s[i]=0; s[15+i]=k[i]; }
  for(int i=0;i<NBD;i++) for(int j=i+1;j<NBD;j++){ double d0=y[3*j]-y[3*i],d1=y[3*j+1]-y[3*i+1],d2=y[3*j+2]-y[3*i+2]; double r=1/(d0*d0+d1*d1+d2*d2+EPS2), q=r*sqrt(r);
    double u0=M[j]*ab[3*i]-M[i]*ab[3*j],u1=M[j]*ab[3*i+1]-M[i]*ab[3*j+1],u2=M[j]*ab[3*i+2]-M[i]*ab[3*j+2]; double z=-3*(u0*d0+u1*d1+u2*d2)*q*r;
    double e0=u0*q+z*d0,e1=u1*q+z*d1,e2=u2*q+z*d2; s[3*j]+=e0;s[3*j+1]+=e1;s[3*j+2]+=e2; s[3*i]-=e0;s[3*i+1]-=e1;s[3*i+2]-=e2; } }
AI double ode(int n,int steps,double dt,const double*y0,double*g,rhs_t F,vjp_t FT,int nloss){ double tr[steps*n+n]; double y[32]; memcpy(y,y0,8*n); double k1[32],k2[32],k3[32],k4[32],s[32];
  for(int t=0;t<steps;t++){ memcpy(tr+t*n,y,8*n); F(y,k1); for(int i=0;i<n;i++) s[i]=y[i]+dt/2*k1[i]; F(s,k2); for(int i=0;i<n;i++) s[i]=y[i]+dt/2*k2[i]; F(s,k3); for(int i=0;i<n;i++) s[i]=y[i]+dt*k3[i]; F(s,k4); for(int i=0;i<n;i++) y[i]+=dt/6*(k1[i]+2*k2[i]+2*k3[i]+k4[i]); }
  double L=0; for(int i=0;i<nloss;i++) L+=y[i]*y[i];
  if(g){ double la[32]={0}; for(int i=0;i<nloss;i++) la[i]=2*y[i]; double s2[32],s3[32],s4[32],kb[32],b1[32],b2[32],b3[32],b4[32];
    for(int t=steps-1;t>=0;t--){ const double*yy=tr+t*n; F(yy,k1); for(int i=0;i<n;i++) s2[i]=yy[i]+dt/2*k1[i]; F(s2,k2); for(int i=0;i<n;i++) s3[i]=yy[i]+dt/2*k2[i]; F(s3,k3); for(int i=0;i<n;i++) s4[i]=yy[i]+dt*k3[i];
      for(int i=0;i<n;i++) kb[i]=dt/6*la[i]; FT(s4,kb,b4); for(int i=0;i<n;i++) kb[i]=dt/3*la[i]+dt*b4[i]; FT(s3,kb,b3); for(int i=0;i<n;i++) kb[i]=dt/3*la[i]+dt/2*b3[i]; FT(s2,kb,b2); for(int i=0;i<n;i++) kb[i]=dt/6*la[i]+dt/2*b2[i]; FT(yy,kb,b1);
      for(int i=0;i<n;i++) la[i]+=b1[i]+b2[i]+b3[i]+b4[i]; }
    memcpy(g,la,8*n); }
  return L; }
double lorenz_f(int steps,double dt,const double*y0){ return ode(3,steps,dt,y0,0,lor,lorT,3); }
double lorenz_fg(int steps,double dt,const double*y0,double*g){ return ode(3,steps,dt,y0,g,lor,lorT,3); }
double nbody_f(int steps,double dt,const double*y0){ return ode(30,steps,dt,y0,0,nb,nbT,15); }
double nbody_fg(int steps,double dt,const double*y0,double*g){ return ode(30,steps,dt,y0,g,nb,nbT,15); }

// What ctypes takes for a call is measured on this.
void nothing(void){}

// ---------- the polynomial of elementwise.py, alone
double light_f(long n,const double*restrict x){ double s=0; for(long i=0;i<n;i++){ double X=x[i]; s+=(2*X+1)*X-X*X*X*.5+X*X; } return s; }

// ---------- Student-t regression: sum log(1 + r*r/nu), r = X w - y; one pass over X, 8 rows at a time
#define SH __builtin_shufflevector
#define UNROLL _Pragma("GCC unroll 32")
AI v8 hs8(const v8*a){ v8 s[4],t[2];
  for(int i=0;i<4;i++) s[i]=SH(a[2*i],a[2*i+1],0,8,2,10,4,12,6,14)+SH(a[2*i],a[2*i+1],1,9,3,11,5,13,7,15);
  for(int i=0;i<2;i++) t[i]=SH(s[2*i],s[2*i+1],0,1,8,9,4,5,12,13)+SH(s[2*i],s[2*i+1],2,3,10,11,6,7,14,15);
  return SH(t[0],t[1],0,1,2,3,8,9,10,11)+SH(t[0],t[1],4,5,6,7,12,13,14,15); }
// The lanes past d of a row's last vector are the next row's; their weights are zero. The last 8 rows are copied.
AI void student_rows(int d,int dv,double nu,const v8*w,const double*X,int ld,const double*y,double*q,v8*G,int grad){
  v8 a[8]; UNROLL for(int r=0;r<8;r++) a[r]=bc(0);
  for(int c=0;c<dv;c++) UNROLL for(int r=0;r<8;r++) a[r]+=w[c]*(v8)*(const v8u*)(X+(size_t)r*ld+8*c);
  v8 e=hs8(a)-(v8)*(const v8u*)y, ee=e*e; *(v8u*)q=ee;
  if(grad){ v8 k=2*e/(nu+ee);
    for(int c=0;c<dv;c++){ v8 g0=G[c],g1=bc(0); UNROLL for(int r=0;r<8;r+=2){ g0+=bc(k[r])*(v8)*(const v8u*)(X+(size_t)r*ld+8*c); g1+=bc(k[r+1])*(v8)*(const v8u*)(X+(size_t)(r+1)*ld+8*c); } G[c]=g0+g1; } } }
#define SB 512
AI double student_impl(int n,int d,int dv,double nu,const double*w,const double*X,const double*y,double*g,int grad){
  v8 W[dv],G[dv]; for(int c=0;c<dv;c++) G[c]=bc(0); for(int j=0;j<8*dv;j++) ((double*)W)[j]=j<d?w[j]:0;
  double q[SB] __attribute__((aligned(64))), s=0, in=1/nu; int last=n>8?(n-1)/8*8:0;
  for(int o=0;o<last;o+=SB){ int m=last-o<SB?last-o:SB;
    for(int i=0;i<m;i+=8) student_rows(d,dv,nu,W,X+(size_t)(o+i)*d,d,y+o+i,q+i,G,grad);
    for(int i=0;i<m;i++) s+=log(1+q[i]*in); }
  v8 Xl[8*dv]; double yl[8]={0}; memset(Xl,0,sizeof Xl);
  for(int r=0;r<n-last;r++){ memcpy((double*)Xl+r*8*dv,X+(size_t)(last+r)*d,8*d); yl[r]=y[last+r]; }
  student_rows(d,dv,nu,W,(double*)Xl,8*dv,yl,q,G,grad);
  for(int i=0;i<8;i++) s+=log(1+q[i]*in);
  if(grad) memcpy(g,G,8*d);
  return s; }
double student_f(int n,int d,double nu,const double*w,const double*X,const double*y){ return (d+7)/8==4?student_impl(n,d,4,nu,w,X,y,0,0):student_impl(n,d,(d+7)/8,nu,w,X,y,0,0); }
double student_fg(int n,int d,double nu,const double*w,const double*X,const double*y,double*g){ return (d+7)/8==4?student_impl(n,d,4,nu,w,X,y,g,1):student_impl(n,d,(d+7)/8,nu,w,X,y,g,1); }

// ---------- softmax cross-entropy: W is d x K, Y is n x K; 64 points at a time, points in the lanes
AI void transpose8(const double*x,size_t ld,v8*o,size_t step){ v8 a[8],b[8];
  for(int r=0;r<8;r++) a[r]=*(const v8u*)(x+r*ld);
  for(int r=0;r<8;r+=2){ b[r]=SH(a[r],a[r+1],0,8,2,10,4,12,6,14); b[r+1]=SH(a[r],a[r+1],1,9,3,11,5,13,7,15); }
  for(int h=0;h<8;h+=4) for(int i=0;i<2;i++){ a[h+i]=SH(b[h+i],b[h+i+2],0,1,8,9,4,5,12,13); a[h+i+2]=SH(b[h+i],b[h+i+2],2,3,10,11,6,7,14,15); }
  for(int i=0;i<4;i++){ o[i*step]=SH(a[i],a[i+4],0,1,2,3,8,9,10,11); o[(i+4)*step]=SH(a[i],a[i+4],4,5,6,7,12,13,14,15); } }
AI void tile_in(const double*x,size_t ld,int d,int nb,double*xt){
  int j=0; if(nb==B) for(;j+7<d;j+=8) for(int v=0;v<BV;v++) transpose8(x+8*v*ld+j,ld,(v8*)(xt+j*B)+v,BV);
  for(;j<d;j++) for(int b=0;b<B;b++) xt[j*B+b]=b<nb?x[b*ld+j]:0; }
AI void logits(int KT,int d,int K,const double*W,const v8*xt,v8*z){
  for(int v=0;v<BV;v+=2){ v8 a[20]; UNROLL for(int i=0;i<2*KT;i++) a[i]=bc(0);
    for(int j=0;j<d;j++){ v8 x0=xt[j*BV+v],x1=xt[j*BV+v+1]; UNROLL for(int k=0;k<KT;k++){ v8 w=bc(W[j*K+k]); a[2*k]+=w*x0; a[2*k+1]+=w*x1; } }
    UNROLL for(int k=0;k<KT;k++){ z[k*BV+v]=a[2*k]; z[k*BV+v+1]=a[2*k+1]; } } }
AI void outer(int JT,int KT,int K,const v8*xt,const v8*p,v8*G){ v8 a[25]; UNROLL for(int i=0;i<JT*KT;i++) a[i]=bc(0);
  for(int v=0;v<BV;v++) UNROLL for(int j=0;j<JT;j++){ v8 x=xt[j*BV+v]; UNROLL for(int k=0;k<KT;k++) a[j*KT+k]+=x*p[k*BV+v]; }
  UNROLL for(int j=0;j<JT;j++) UNROLL for(int k=0;k<KT;k++) G[j*K+k]+=a[j*KT+k]; }
AI double softmax_impl(int n,int d,int K,const double*W,const double*X,const double*Y,double*g,int grad){
  v8 xt[d*BV],zt[K*BV],yt[K*BV],G[d*K]; double*z=(double*)zt,*yy=(double*)yt; double m[B] __attribute__((aligned(64))),s[B] __attribute__((aligned(64))),total=0;
  if(grad) memset(G,0,sizeof G);
  for(int o=0;o<n;o+=B){ int nb=n-o<B?n-o:B;
    tile_in(X+(size_t)o*d,d,d,nb,(double*)xt); tile_in(Y+(size_t)o*K,K,K,nb,yy);
    int k=0; for(;k+9<K;k+=10) logits(10,d,K,W+k,xt,zt+k*BV); for(;k<K;k++) logits(1,d,K,W+k,xt,zt+k*BV);
    double dot=0; for(int i=0;i<K*B;i++) dot+=yy[i]*z[i];
    for(int b=0;b<B;b++){ m[b]=-1e300; s[b]=0; }
    for(int k=0;k<K;k++) for(int b=0;b<B;b++) m[b]=z[k*B+b]>m[b]?z[k*B+b]:m[b];
    for(int k=0;k<K;k++) for(int b=0;b<B;b++){ double e=exp(z[k*B+b]-m[b]); z[k*B+b]=e; s[b]+=e; }
    double t=0; for(int b=0;b<nb;b++) t+=log(s[b])+m[b];
    total+=t-dot;
    if(grad){ for(int b=0;b<B;b++) s[b]=b<nb?1/s[b]:0;
      for(int k=0;k<K;k++) for(int b=0;b<B;b++) z[k*B+b]=z[k*B+b]*s[b]-yy[k*B+b];
      int j=0; for(;j+4<d;j+=5){ k=0; for(;k+4<K;k+=5) outer(5,5,K,xt+j*BV,zt+k*BV,G+j*K+k); for(;k<K;k++) outer(5,1,K,xt+j*BV,zt+k*BV,G+j*K+k); }
      for(;j<d;j++) for(k=0;k<K;k++) outer(1,1,K,xt+j*BV,zt+k*BV,G+j*K+k); } }
  if(grad) for(int i=0;i<d*K;i++) g[i]=hs(G[i]);
  return total; }
double softmax_f(int n,int d,int K,const double*W,const double*X,const double*Y){ return softmax_impl(n,d,K,W,X,Y,0,0); }
double softmax_fg(int n,int d,int K,const double*W,const double*X,const double*Y,double*g){ return softmax_impl(n,d,K,W,X,Y,g,1); }

// ---------- stencils: sum of squared differences; squared five-point Laplacian of a grid, lap in a ring of rows
double differences_f(long n,const double*restrict u){ double s=0; for(long i=1;i<n;i++){ double d=u[i]-u[i-1]; s+=d*d; } return s; }
double differences_fg(long n,const double*restrict u,double*restrict g){ double s=0; g[0]=2*(u[0]-u[1]);
  for(long i=1;i<n-1;i++){ double d=u[i]-u[i-1]; s+=d*d; g[i]=2*(d-(u[i+1]-u[i])); }
  double d=u[n-1]-u[n-2]; g[n-1]=2*d; return s+d*d; }
#define LAP(u,j) ((u)[(j)+m]+(u)[(j)-m]+(u)[(j)+1]+(u)[(j)-1]-4*(u)[j])
double laplacian_f(long n,long m,const double*restrict u){ double s=0; for(long i=1;i<n-1;i++){ const double*r=u+i*m; for(long j=1;j<m-1;j++){ double e=LAP(r,j); s+=e*e; } } return s; }
double laplacian_fg(long n,long m,const double*restrict u,double*restrict g){ double ring[3][m+2],s=0; memset(ring,0,sizeof ring);
  double*a=ring[0]+1,*b=ring[1]+1,*c=ring[2]+1; // lap of the rows i-1, i, i+1
  for(long i=-1;i<n-1;i++){ const double*r=u+(i+1)*m; double*restrict e=c;
    if(i+1>=1&&i+1<n-1) for(long j=1;j<m-1;j++){ double l=LAP(r,j); s+=l*l; e[j]=l; } else memset(e,0,8*m);
    if(i>=0){ double*restrict o=g+i*m; for(long j=0;j<m;j++) o[j]=2*(a[j]+c[j]+b[j-1]+b[j+1]-4*b[j]); }
    double*t=a; a=b; b=c; c=t; }
  double*o=g+(n-1)*m; for(long j=0;j<m;j++) o[j]=2*a[j]; return s; }

// ---------- a concatenation, and a gather, between elementwise expressions
double concatenate_f(long n,const double*restrict x,const double*restrict y,const double*restrict w){ double s=0;
  for(long i=0;i<n;i++) s+=w[i]*tanh_e(x[i]*x[i]);
  for(long i=0;i<n;i++) s+=w[n+i]*tanh_e(exp(-y[i]));
  return s; }
double concatenate_fg(long n,const double*restrict x,const double*restrict y,const double*restrict w,double*restrict gx,double*restrict gy){ double s=0;
  for(long i=0;i<n;i++){ double t=tanh_e(x[i]*x[i]); s+=w[i]*t; gx[i]=2*w[i]*(1-t*t)*x[i]; }
  for(long i=0;i<n;i++){ double e=exp(-y[i]),t=tanh_e(e); s+=w[n+i]*t; gy[i]=-w[n+i]*(1-t*t)*e; }
  return s; }
double gather_f(long m,long n,const double*restrict x,const double*restrict w,const long*restrict k){ double v[m],s=0; for(long i=0;i<m;i++) v[i]=sin(x[i]);
  for(long i=0;i<n;i++){ double e=v[k[i]]*w[i]-1; s+=e*e; } return s; }
double gather_fg(long m,long n,const double*restrict x,const double*restrict w,const long*restrict k,double*restrict g){ double v[m],q[256],s=0; for(long i=0;i<m;i++){ v[i]=sin(x[i]); g[i]=0; }
  for(long o=0;o<n;o+=256){ long l=n-o<256?n-o:256;
    for(long i=0;i<l;i++){ double e=v[k[o+i]]*w[o+i]-1; s+=e*e; q[i]=2*e*w[o+i]; }
    for(long i=0;i<l;i++) g[k[o+i]]+=q[i]; }
  for(long i=0;i<m;i++) v[i]=cos(x[i]);
  for(long i=0;i<m;i++) g[i]*=v[i];
  return s; }

// ---------- values of sparse matrices: the Jacobian of Burgers' equation on a line, the Hessian of the chained Rosenbrock function, row by row
void burgers_values(long n,const double*restrict u,double*restrict v){ v[0]=1; v++;
  for(long i=1;i<n-1;i++){ double d=(u[i+1]-u[i-1])*0.5,h=0.5*u[i]; v[0]=0.1+h; v[1]=-0.2-d; v[2]=0.1-h; v+=3; }
  v[0]=1; }
void rosenbrock_values(long n,const double*restrict x,double*restrict v){ v[0]=2+1200*x[0]*x[0]-400*x[1]; v[1]=-400*x[0]; v+=2;
  for(long i=1;i<n-1;i++){ v[0]=-400*x[i-1]; v[1]=202+1200*x[i]*x[i]-400*x[i+1]; v[2]=-400*x[i]; v+=3; }
  v[0]=-400*x[n-2]; v[1]=200; }
